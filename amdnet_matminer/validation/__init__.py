"""Checks of what users pass in, before any work starts; each error names the item and the remedy."""

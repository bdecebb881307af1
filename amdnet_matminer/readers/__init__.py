"""How each kind of file of crystals is read; ``amdnet_matminer.structure_files`` opens them all."""

"""What a run recorded, as figures, a self-contained page and files."""

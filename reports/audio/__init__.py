"""What a page plays: excerpts, the players, the sounds of one run and of the best."""

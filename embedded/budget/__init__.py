"""Does a model keep up? What it costs on the boards of ``study.selection.boards``, and here."""

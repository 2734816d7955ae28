"""Result → files that a person or a spreadsheet opens."""

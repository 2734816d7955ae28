"""Page → words with boxes: from the text layer where it is sound, else by OCR. Also the data of an embedded e-invoice."""

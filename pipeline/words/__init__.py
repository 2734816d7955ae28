"""Page → words with boxes: the text layer where it is sound, else OCR; facts from an embedded e-invoice."""

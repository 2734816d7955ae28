"""The engine ``vlm``: a vision-language model, or a text model that reads the page's words, run by transformers on the CPU."""

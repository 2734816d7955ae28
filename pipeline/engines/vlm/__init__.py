"""The engine ``vlm``: a vision-language model, or a text model that is given the words, run by transformers on the CPU."""

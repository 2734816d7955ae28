"""OpenAI's API in front of the model of the reading process: chat completions and the list of models."""

"""Charts drawn at random, with the data that they show: to measure the reader of charts, and to fit how sure it is of its values."""

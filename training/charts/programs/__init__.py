"""Charts with truth that other programs draw: R, gnuplot, Vega-Lite, pygal, LibreOffice and libraries of web pages."""

"""Tables of goods and services: which numbers of a page are quantity, price and amount of a row, learned from documents."""

"""Answer → result: every claim is looked up on the page, pages become a document, sums and dates are checked."""

"""Values as people print them: numbers, money, dates, identifiers, currencies. Pure functions for all packages."""

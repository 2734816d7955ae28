"""Results for a person to look over: one HTML file with every value on its page. Above the loop, unknown to all other rooms but `cli`."""

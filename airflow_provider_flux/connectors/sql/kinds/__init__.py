"""What a column of a declared type takes, and the form in which it is sent.

Each value is checked here and not only by the database: SQLite puts "n/a" into an INTEGER column without a word, and
where the database does check, one bad value costs the whole statement. A kind looks at a whole column of a batch at
once (`fits`), which costs next to nothing; only where something is odd does it look at each value (`one`).
"""

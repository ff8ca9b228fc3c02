"""From a question to a cited context.

What enters: a question, whose memory to ask, and when "now" is. What leaves: a `Context`. `question` reads the
question (with `dates` for its dates), `lexical` and `dense` score every turn, `fuse` adds the signals up by the weights
in `weights`, `confidence` judges whether the answer is there at all, `budget` writes the text, `engine` runs them.
"""

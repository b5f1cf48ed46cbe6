"""The calls: who may ask what, in which words, and what is sent and fetched."""

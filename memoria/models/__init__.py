"""Language models behind small ports: text goes in, vectors come out; nothing here knows about memories."""

"""What the program reads at run time: tables of sentences, units, prices. Read through `importlib.resources`."""

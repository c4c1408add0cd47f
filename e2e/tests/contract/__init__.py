"""The public contract, word for word: fields, codes and statuses as literals, refusals too."""

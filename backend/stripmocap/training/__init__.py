"""How the embedded weights were made: the programs that train them."""

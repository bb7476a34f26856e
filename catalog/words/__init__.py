"""Words about products: tokens, terms, thesaurus, attribute phrases, and the text that encoder and lexical leg see."""

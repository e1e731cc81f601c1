"""From raw question-answer sources to a dataset that rewards can be trusted on."""

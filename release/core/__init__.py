"""What every package may import: errors, configuration, plan, facts, models, tokens."""

"""The command line: options, prompts, output."""

"""The program that runs `build`. It imports nothing of the other packages: any Python from 3.11 on can run it."""

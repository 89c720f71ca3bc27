"""Command line of Glint; the commands are in `pipeline.cli`."""

from pipeline.cli import main

if __name__ == "__main__":
    main()

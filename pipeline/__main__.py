"""``python -m pipeline`` is the command ``pipeline``. Nothing is imported before the module path is safe."""

from pipeline.cli.main import main

if __name__ == "__main__":
    main()

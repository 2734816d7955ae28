"""The entry of the command ``pipeline``. Nothing is imported before the module path is safe; ``commands`` has all the rest."""

import os

from pipeline.runtime.garbage_collection import collect_rarely
from pipeline.runtime.safe_path import finds_libraries_in_current_folder, same_command, use_safe_environment, use_safe_path


def main() -> None:
    """Run the command line. No file of the current folder is executed for its name, whatever the environment says."""
    use_safe_path()
    use_safe_environment()
    if finds_libraries_in_current_folder():
        command = same_command()
        os.execv(command[0], command)  # noqa: S606 - our own command line
    collect_rarely()

    from pipeline.cli.commands import run_command_line

    run_command_line()

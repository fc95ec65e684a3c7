"""Real programs: none yet."""


def program_rows(work_folder):
    return []

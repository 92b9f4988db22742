"""Whether a result is there already."""

from serving.cli.plan import Job


def is_done(job: Job) -> bool:
    """Whether all that is to be written is there, and was begun after the picture last changed.

    Results appear whole and bear the date at which their making began (:mod:`serving.cli.whole`),
    so there are no broken ones, and a picture that changed meanwhile is the newer one.
    """
    if job.source is None or job.target is None:
        return False
    # An older picture that is moved or copied here keeps its date of modification, which is
    # therefore not enough; that of its change of status (on Windows: of its creation) is new.
    try:
        source = job.source.stat()
        began = min(path.stat().st_mtime_ns for path in job.files)
    except OSError:
        return False
    return began > max(source.st_mtime_ns, source.st_ctime_ns)

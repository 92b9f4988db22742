from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from threading import Event, Thread
from threading import enumerate as enumerate_threads

import pytest

from serving.priority import Priority
from serving.tasks import Share, Task, TaskPool


def test_products_come_in_order_and_finished() -> None:
    lists: list[list[int]] = [[] for _ in range(20)]
    jobs = ((made, [partial(made.append, number) for number in range(5)]) for made in lists)
    with closing(TaskPool(3)) as pool:
        products = list(pool.products(jobs))
    assert [sorted(made) for made in products] == [[0, 1, 2, 3, 4]] * 20


def test_the_next_job_runs_while_the_caller_looks_at_a_product() -> None:
    events = [Event() for _ in range(4)]
    with closing(TaskPool(1)) as pool:
        products = pool.products((event, [event.set, event.set]) for event in events)
        next(products)
        assert events[1].wait(5)
        assert not events[2].is_set()
        next(products)
        assert events[2].wait(5)


def test_a_failure_reaches_the_caller_and_the_pool_goes_on() -> None:
    def fail() -> None:
        raise ZeroDivisionError

    with closing(TaskPool(1)) as pool:
        with pytest.raises(ZeroDivisionError):
            list(pool.products([("broken", [fail]), ("later", [fail])]))
        assert list(pool.products([("whole", [])])) == ["whole"]


def test_callers_take_turns() -> None:
    """One that comes with a single task does not wait for all tasks of another."""
    gate, begun, submitted = Event(), Event(), Event()
    order: list[str] = []

    def block() -> None:
        begun.set()
        gate.wait()

    def small() -> Iterator[tuple[str, list[Task]]]:
        yield "small", [partial(order.append, "small")]
        submitted.set()

    tasks: list[Task] = [block, *[partial(order.append, "large")] * 9]
    large = [("large", tasks)]
    with closing(TaskPool(1)) as pool, ThreadPoolExecutor(2) as callers:
        callers.submit(list, pool.products(large))
        assert begun.wait(5)
        callers.submit(list, pool.products(small()))
        assert submitted.wait(5)
        gate.set()
    assert order.index("small") <= 1
    assert len(order) == 10


def test_a_small_run_does_not_wait_for_a_task_that_has_begun() -> None:
    gate, begun, done = Event(), Event(), Event()

    def block() -> None:
        begun.set()
        gate.wait()

    with closing(TaskPool(1)) as pool, ThreadPoolExecutor(2) as callers:
        large = callers.submit(list, pool.products([("large", [block] * 9)]))
        assert begun.wait(5)
        callers.submit(list, pool.products([("small", [done.set])]))
        assert done.wait(5)
        gate.set()
        assert large.result() == ["large"]


def test_small_runs_share_the_workers_where_there_are_no_large_ones() -> None:
    """A thread more than there are processors would only make all of them slower."""
    gate, begun, second, large_one = Event(), Event(), Event(), Event()

    def block() -> None:
        begun.set()
        gate.wait(5)

    with closing(TaskPool(1)) as pool, ThreadPoolExecutor(3) as callers:
        callers.submit(list, pool.products([("small", [block])]))
        assert begun.wait(5)
        callers.submit(list, pool.products([("small", [second.set])]))
        assert not second.wait(0.2)
        gate.set()
        assert second.wait(5)

        gate.clear()
        begun.clear()
        callers.submit(list, pool.products([("large", [large_one.set, block, block, block])]))
        assert large_one.wait(5)
        assert begun.wait(5)
        second.clear()
        callers.submit(list, pool.products([("small", [second.set])]))
        assert second.wait(2)
        gate.set()


def test_the_urgent_go_first_whoever_came_first() -> None:
    gate, begun = Event(), Event()
    order: list[Priority] = []

    def block() -> None:
        begun.set()
        gate.wait()

    def tasks(priority: Priority, submitted: Event) -> Iterator[tuple[str, list[Task]]]:
        yield "many", [partial(order.append, priority)] * 3
        submitted.set()

    with closing(TaskPool(1)) as pool, ThreadPoolExecutor(4) as callers:
        callers.submit(list, pool.products([("block", [block] * 3)], Priority.HIGH))
        assert begun.wait(5)
        for priority in Priority:
            submitted = Event()
            callers.submit(list, Share(pool, priority).products(tasks(priority, submitted)))
            assert submitted.wait(5)
        gate.set()
    assert order == sorted(order, reverse=True)
    assert len(order) == 9


def test_no_thread_outlives_its_pool_though_a_task_had_begun() -> None:
    begun, ended = Event(), Event()

    def slow() -> None:
        begun.set()
        ended.wait(0.3)

    before = set(enumerate_threads())
    pool = TaskPool(2)
    products = pool.products([(None, [slow] * 9)])
    caller = Thread(target=next, args=[products], daemon=True)
    caller.start()
    assert begun.wait(5)
    pool.close()
    caller.join(5)
    assert set(enumerate_threads()) <= before

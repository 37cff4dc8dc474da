"""Who works by themselves beside a running node, for its agency or for others."""

from collections.abc import Coroutine
from typing import Any

from subscribers.core import Core
from subscribers.directory.notifier import Notifier
from subscribers.judging.herald import Herald
from subscribers.local import LocalNats
from subscribers.settings import NodeSettings
from subscribers.telling.correcting import Corrector
from subscribers.telling.purging import Purger
from subscribers.telling.reporting import Reporter
from subscribers.telling.republish import Republisher
from subscribers.telling.reviewing import Reviewer


def workers(
    core: Core, local: LocalNats, republisher: Republisher, settings: NodeSettings
) -> tuple[Coroutine[Any, Any, None], ...]:
    """Their loops, each until cancelled: alarms and notices are told, changes reported and corrected, reviews
    kept.
    """
    return (
        Herald(core.store, core.ledger, local.announce).run(),
        Notifier(core, local).run(),
        Reporter(core, republisher, settings.report_seconds).run(),
        Corrector(core, republisher, settings.report_seconds).run(),
        Reviewer(core, republisher).run(),
        Purger(core, settings.retention).run(),
    )

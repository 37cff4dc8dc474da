"""The few words that a digest adds to the titles it lists, in the six languages."""

from typing import Final, NamedTuple

from schemas.vocabulary import Kind, Language, Severity


class Texts(NamedTuple):
    """One language's words."""

    title: str
    more: str
    corrected: str
    withdrawn: str
    severities: dict[Severity, str]
    kinds: dict[Kind, str]


def _texts(title: str, more: str, changes: str, severities: str, kinds: str) -> Texts:
    corrected, withdrawn = changes.split("|")
    return Texts(
        title,
        more,
        corrected,
        withdrawn,
        dict(zip(Severity, severities.split("|"), strict=True)),
        dict(zip(Kind, kinds.split("|"), strict=True)),
    )


TEXTS: Final = {
    Language.ENGLISH: _texts(
        "Digest",
        "more, see the archive",
        "Corrected|withdrawn by its originator",
        "Information|Low|Elevated|High|FLASH",
        "tactic|threat|subject|channel|narrative|cyber|event|request|response|sighting|acknowledgement|amendment|retraction|digest|notice",
    ),
    Language.FRENCH: _texts(
        "Synthèse",
        "de plus, voir les archives",
        "Corrigé|retiré par son émetteur",
        "Information|Faible|Élevé|Grave|FLASH",
        "mode opératoire|menace|personne désignée|canal|discours|cyber|événement|demande|réponse|observation|"
        "accusé de réception|rectificatif|retrait|synthèse|avis",
    ),
    Language.RUSSIAN: _texts(
        "Сводка",
        "ещё, см. архив",
        "Исправлено|отозвано отправителем",
        "Информация|Низкая|Повышенная|Высокая|МОЛНИЯ",
        "тактика|угроза|лицо|канал|нарратив|киберинцидент|событие|запрос|ответ|наблюдение|подтверждение|поправка|отзыв|сводка|уведомление",
    ),
    Language.ARABIC: _texts(
        "موجز",
        "أخرى، انظر الأرشيف",
        "مصحَّح|سُحبت من الجهة المصدرة",
        "للعلم|منخفض|مرتفع|عالٍ|عاجل جداً",
        "أسلوب عمل|تهديد|شخص مدرج|قناة|خطاب دعائي|سيبراني|حدث|طلب|رد|رصد|إشعار استلام|تعديل|سحب|موجز|إشعار",
    ),
    Language.SPANISH: _texts(
        "Resumen",
        "más, véase el archivo",
        "Corregido|retirado por su emisor",
        "Información|Baja|Elevada|Alta|FLASH",
        "táctica|amenaza|sujeto|canal|narrativa|ciber|evento|solicitud|respuesta|avistamiento|"
        "acuse de recibo|enmienda|retractación|resumen|aviso",
    ),
    Language.CHINESE: _texts(
        "摘要",
        "条,见档案",
        "更正|已由发布方撤回",
        "信息|低|升高|高|特急",
        "手法|威胁|对象|渠道|叙事|网络|活动|请求|答复|目击|确认|修正|撤回|摘要|通知",
    ),
}

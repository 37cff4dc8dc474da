// The few words of the page that an agency reads in its own language.

const KINDS = ["tactic", "threat", "subject", "channel", "narrative", "cyber", "event", "request", "response", "sighting",
  "acknowledgement", "amendment", "retraction", "digest", "notice"];
const SEVERITIES = ["info", "low", "elevated", "high", "flash"];

const named = (keys, text) => Object.fromEntries(text.split("|").map((word, at) => [keys[at], word]));

export const WORDS = {
  en: {
    kind: named(KINDS, "Tactic|Threat|Subject|Channel|Narrative|Cyber|Event|Request|Response|Sighting|Acknowledgement|Amendment|Retraction|Digest|Notice"),
    severity: named(SEVERITIES, "Info|Low|Elevated|High|Flash"),
    own: "sent from here", waiting: "Nothing has arrived yet.", outside: "Not a member: nothing arrives here",
    official: "official translation", unofficial: "translation", systems: "Own systems: plain NATS client",
    upTo: "up to", language: { ar: "Arabic", zh: "Chinese", en: "English", fr: "French", ru: "Russian", es: "Spanish" },
    written: (name) => `written in ${name}`, read: "read here", chat: "Chat",
  },
  fr: {
    kind: named(KINDS, "Mode opératoire|Menace|Personne désignée|Canal|Discours|Cyber|Événement|Demande|Réponse|Observation|Accusé|Rectificatif|Retrait|Synthèse|Avis"),
    severity: named(SEVERITIES, "Info|Faible|Élevé|Grave|Flash"),
    own: "envoyé d’ici", waiting: "Rien n’est encore arrivé.", outside: "Non membre : rien n’arrive ici",
    official: "traduction officielle", unofficial: "traduction", systems: "Systèmes internes",
    upTo: "jusqu’à", language: { ar: "arabe", zh: "chinois", en: "anglais", fr: "français", ru: "russe", es: "espagnol" },
    written: (name) => `rédigé en ${name}`, read: "lus ici", chat: "Messagerie",
  },
  ru: {
    kind: named(KINDS, "Тактика|Угроза|Лицо|Канал|Нарратив|Кибер|Событие|Запрос|Ответ|Наблюдение|Подтверждение|Поправка|Отзыв|Сводка|Уведомление"),
    severity: named(SEVERITIES, "Инфо|Низкая|Повышенная|Высокая|Молния"),
    own: "отправлено отсюда", waiting: "Пока ничего не поступило.", outside: "Не участник: сюда ничего не приходит",
    official: "официальный перевод", unofficial: "перевод", systems: "Свои системы: обычный клиент NATS",
    upTo: "до", language: { ar: "арабском", zh: "китайском", en: "английском", fr: "французском", ru: "русском", es: "испанском" },
    written: (name) => `написано на ${name}`, read: "прочитано здесь", chat: "Чат",
  },
  ar: {
    kind: named(KINDS, "أسلوب عمل|تهديد|شخص مدرج|قناة|خطاب دعائي|سيبراني|حدث|طلب|رد|رصد|إشعار استلام|تعديل|سحب|موجز|إشعار"),
    severity: named(SEVERITIES, "للعلم|منخفض|مرتفع|عالٍ|عاجل جداً"),
    own: "أُرسل من هنا", waiting: "لم يصل شيء بعد.", outside: "ليست عضواً: لا يصل شيء إلى هنا",
    official: "ترجمة رسمية", unofficial: "ترجمة", systems: "أنظمة داخلية",
    upTo: "حتى", language: { ar: "العربية", zh: "الصينية", en: "الإنجليزية", fr: "الفرنسية", ru: "الروسية", es: "الإسبانية" },
    written: (name) => `كُتب ب${name}`, read: "قُرئت هنا", chat: "المحادثة",
  },
};

export const KIND_CHOICES = ["notice", "threat", "tactic", "narrative", "request"];
export { SEVERITIES };
export const RTL = new Set(["ar"]);

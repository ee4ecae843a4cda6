// SPDX-License-Identifier: Apache-2.0
// Keeps the page live: asks for it again while somebody can see it, and puts the sections that changed in place. Focus,
// open places, scroll and a selection that is being made are kept. Says when the agent does not answer any more, and
// adds the viewer's own time to those in UTC.
(() => {
    "use strict";
    const PERIOD = 5000, PATIENCE = 10000;
    const link = document.getElementById("link");
    let timer = 0, asking = false, seen = new Date();

    const say = (text) => {
        if (link.textContent !== text)
            link.textContent = text;
        document.documentElement.classList.toggle("lost", text !== "");
    };

    const selecting = (part) => {
        const selection = getSelection();
        return selection && !selection.isCollapsed && selection.containsNode(part, true);
    };

    // A moment is UTC in the page; who lives by another clock sees theirs beside it, the long form where a pointer rests.
    const localise = (root) => {
        for (const time of root.querySelectorAll("time.moment")) {
            const at = new Date(time.dateTime);
            if (!at.getTimezoneOffset())
                continue;
            const far = new Intl.DateTimeFormat("en-GB", {day: "numeric", month: "short", timeZone: "UTC"}).format(at) !==
                new Intl.DateTimeFormat("en-GB", {day: "numeric", month: "short"}).format(at);
            const clock = {hour: "2-digit", minute: "2-digit", hourCycle: "h23"};
            const text = at.toLocaleString("en-GB", far ? {day: "numeric", month: "short", ...clock} : clock);
            time.title = at.toLocaleString(undefined, {dateStyle: "full", timeStyle: "long"});
            if (time.closest("#health, #figures, #as-of")) {
                const local = root.createElement("span");
                local.className = "local";
                local.textContent = ` (${text.replace(",", "")} local)`;
                time.append(local);
            }
        }
    };

    // One section, if it changed. Nobody shall lose the words they are about to copy.
    const put = (id, fresh) => {
        const old = document.getElementById(id), next = fresh.getElementById(id);
        if (!old || !next || selecting(old))
            return;
        const focus = old.contains(document.activeElement) && document.activeElement.id;
        for (const place of old.querySelectorAll("details[open]"))
            fresh.getElementById(place.id)?.setAttribute("open", "");
        if (old.outerHTML === next.outerHTML)
            return;
        old.replaceWith(document.adoptNode(next));
        if (focus)
            document.getElementById(focus)?.focus({preventScroll: true});
    };

    const show = (fresh) => {
        // Another version of the agent: its page has another style.
        if (fresh.querySelector("style")?.textContent !== document.querySelector("style").textContent)
            return location.reload();
        const x = scrollX, y = scrollY;
        // Who hears the page is told that it stands otherwise now.
        if (document.title !== fresh.title)
            document.getElementById("news").textContent = document.title = fresh.title;
        for (const part of [...document.querySelectorAll("#as-of, main section")])
            put(part.id, fresh);
        if (scrollX !== x || scrollY !== y)
            scrollTo(x, y);
    };

    const ask = async () => {
        if (asking)
            return;
        asking = true;
        clearTimeout(timer);
        try {
            const answer = await fetch(location.pathname, {cache: "no-store", signal: AbortSignal.timeout(PATIENCE)});
            if (!answer.ok)
                throw new Error(answer.statusText);
            const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
            localise(fresh);
            show(fresh);
            seen = new Date();
            say("");
        } catch {
            say("The agent has not answered since " + seen.toISOString().slice(11, 19) +
                " UTC. What you see is how things stood then.");
        }
        asking = false;
        if (!document.hidden)
            timer = setTimeout(ask, PERIOD);
    };

    localise(document);
    document.addEventListener("visibilitychange", () => document.hidden ? clearTimeout(timer) : ask());
    if (!document.hidden)
        timer = setTimeout(ask, PERIOD);
})();

// The query string with its arguments sorted by name. Arguments of one name keep their order: for a service the last of
// ?ordering=name&ordering=price counts, so the two orders are not the same question.
function sortedArgs(r) {
    return r.variables.args.split('&')
        .map((arg) => [arg.split('=', 1)[0], arg])
        .sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0))
        .map((pair) => pair[1])
        .join('&');
}

export default { sortedArgs };

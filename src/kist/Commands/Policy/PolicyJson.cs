using Kist.Rego;

namespace Kist.Cli.Commands.Policy;

/// <summary>Results in the shape that OPA's eval command prints.</summary>
static class PolicyJson
{
    public static RegoValue OfResult(RegoResult result) => result.Rows.Length == 0
        ? RegoValue.ObjectOf()
        : RegoValue.ObjectOf(("result", RegoValue.ArrayOf([.. result.Rows.Select(Row)])));

    public static RegoValue OfErrors(RegoException e) => RegoValue.ObjectOf(("errors", RegoValue.ArrayOf([.. e.Errors.Select(Error)])));

    public static RegoValue Error(RegoError e)
    {
        var entries = new List<(string, RegoValue)> { ("code", RegoValue.Of(e.Code)), ("message", RegoValue.Of(e.Message)) };
        if (e.Location.Row > 0)
            entries.Add(("location", Location(e.Location)));
        return RegoValue.ObjectOf([.. entries]);
    }

    public static RegoValue Location(RegoLocation at) => RegoValue.ObjectOf(
        ("file", RegoValue.Of(at.File)), ("row", RegoValue.Of(at.Row)), ("col", RegoValue.Of(at.Column)));

    private static RegoValue Row(RegoRow row)
    {
        var expressions = row.Expressions.Select(e => RegoValue.ObjectOf(("text", RegoValue.Of(e.Text)), ("value", e.Value)));
        var entries = new List<(string, RegoValue)> { ("expressions", RegoValue.ArrayOf([.. expressions])) };
        if (row.Bindings.Count > 0)
            entries.Add(("bindings", RegoValue.ObjectOf([.. row.Bindings.Select(b => (b.Key, b.Value))])));
        return RegoValue.ObjectOf([.. entries]);
    }
}

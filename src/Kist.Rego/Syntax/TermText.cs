using Kist.Rego.Compilation;
using Kist.Rego.Evaluation;

namespace Kist.Rego.Syntax;

/// <summary>Terms as text, for traces.</summary>
static class TermText
{
    public static string Write(Term term) => term switch
    {
        ConstantTerm c => c.Value.ToString(),
        VariableTerm { IsWildcard: true } => "_",
        VariableTerm v => LocalNames.Written(v.Name),
        ReferenceTerm r => r.Path.Aggregate(Write(r.Head), (text, key) => key is ConstantTerm c ? Names.Append(text, c.Value) : $"{text}[{Write(key)}]"),
        CallTerm c => $"{TermNames.OfFunction(c.Function)}({Join(c.Arguments)})",
        ArrayTerm a => $"[{Join(a.Items)}]",
        SetTerm s => $"{{{Join(s.Items)}}}",
        ObjectTerm o => $"{{{string.Join(", ", o.Entries.Select(e => $"{Write(e.Key)}: {Write(e.Value)}"))}}}",
        TemplateTerm => "$\"…\"",
        _ => "{… | …}",
    };

    private static string Join(IEnumerable<Term> terms) => string.Join(", ", terms.Select(Write));
}

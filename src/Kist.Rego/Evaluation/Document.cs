namespace Kist.Rego.Evaluation;

/// <summary>
/// A place in <c>data</c>: a node of the rules, the base document at the same path, or both. Below a rule's value, and
/// outside <c>data</c>, there is just a value.
/// </summary>
/// <param name="Node">The rules at this place and below, or null.</param>
/// <param name="Base">The base document at this place, or the value; null if there is none.</param>
/// <param name="IsBase">True in the base document, where a number finds the key that is its text, as in OPA's storage.</param>
readonly record struct Document(RuleNode? Node, RegoValue? Base, bool IsBase = false)
{
    public bool IsUndefined => Node is null && Base is null;
}

/// <summary>The fixed beginning of a reference into <c>data</c>, looked up among the rules when it is compiled.</summary>
sealed class DataStart(RuleNode root, RuleNode? node, RegoValue[] prefix)
{
    /// <summary>The node that the prefix leads to, or null if no rules are there.</summary>
    public RuleNode? Node => node;

    public Document Open(Activation a)
    {
        var scope = a.Evaluation.Scope;
        if (scope.Masked is not null)
            return OpenSlowly(a.Evaluation.Documents, scope);
        var value = scope.Data;
        foreach (var key in prefix)
        {
            if (value is null)
                break;
            value = Documents.GetBase(value, key);
        }

        return new Document(node, value, IsBase: true);
    }

    private Document OpenSlowly(Documents documents, Scope scope)
    {
        var at = documents.Place(root, scope.Data);
        foreach (var key in prefix)
            at = documents.Step(at, key);
        return at;
    }
}

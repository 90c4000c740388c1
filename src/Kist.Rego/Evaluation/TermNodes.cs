namespace Kist.Rego.Evaluation;

/// <summary>A term whose variables are bound: it has one value, or is undefined (null).</summary>
abstract class TermNode
{
    public abstract RegoValue? Evaluate(Activation a);
}

sealed class ConstantNode(RegoValue value) : TermNode
{
    public RegoValue Value => value;

    public override RegoValue? Evaluate(Activation a) => value;
}

sealed class SlotNode(int slot) : TermNode
{
    public override RegoValue? Evaluate(Activation a) => a.Slots[slot];
}

sealed class InputNode : TermNode
{
    public override RegoValue? Evaluate(Activation a) => a.Evaluation.Scope.Input;
}

sealed class ArrayNode(TermNode[] items) : TermNode
{
    public override RegoValue? Evaluate(Activation a)
    {
        var values = new RegoValue[items.Length];
        for (var i = 0; i < items.Length; i++)
        {
            if (items[i].Evaluate(a) is not { } value)
                return null;
            values[i] = value;
        }

        return RegoArray.Of(values);
    }
}

sealed class SetNode(TermNode[] items) : TermNode
{
    public override RegoValue? Evaluate(Activation a)
    {
        var set = new RegoSetBuilder();
        foreach (var item in items)
        {
            if (item.Evaluate(a) is not { } value)
                return null;
            set.Add(value);
        }

        return set.ToSet();
    }
}

sealed class ObjectNode((TermNode Key, TermNode Value)[] entries) : TermNode
{
    public override RegoValue? Evaluate(Activation a)
    {
        var o = new RegoObjectBuilder(entries.Length);
        foreach (var (key, value) in entries)
        {
            if (key.Evaluate(a) is not { } k || value.Evaluate(a) is not { } v)
                return null;
            o[k] = v;
        }

        return o.ToObject();
    }
}

/// <summary>A reference into a value.</summary>
sealed class DereferenceNode(TermNode head, TermNode[] keys) : TermNode
{
    public override RegoValue? Evaluate(Activation a)
    {
        var value = head.Evaluate(a);
        foreach (var key in keys)
        {
            if (value is null || key.Evaluate(a) is not { } k)
                return null;
            value = Documents.Get(value, k);
        }

        return value;
    }
}

/// <summary>A reference into <c>data</c>: rules, the base document, or both.</summary>
sealed class DataNode(DataStart start, TermNode[] keys) : TermNode
{
    public override RegoValue? Evaluate(Activation a)
    {
        var documents = a.Evaluation.Documents;
        var at = start.Open(a);
        for (var i = 0; i < keys.Length; i++)
        {
            if (at.IsUndefined || keys[i].Evaluate(a) is not { } key)
                return null;
            at = documents.Step(at, key);
        }

        return at.IsUndefined ? null : documents.Value(at);
    }
}

/// <summary>An array, set or object comprehension.</summary>
sealed class ComprehensionNode(Syntax.ComprehensionKind kind, int scratch, Step body) : TermNode
{
    public override RegoValue? Evaluate(Activation a)
    {
        var outer = a.Scratch[scratch];
        using var quiet = a.Evaluation.Quiet();
        object collected = kind switch
        {
            Syntax.ComprehensionKind.Array => new List<RegoValue>(),
            Syntax.ComprehensionKind.Set => new RegoSetBuilder(),
            _ => new RegoObjectBuilder(),
        };
        a.Scratch[scratch] = collected;
        Step.Run(body, a);
        a.Scratch[scratch] = outer;
        return collected switch
        {
            List<RegoValue> list => RegoArray.From(list),
            RegoSetBuilder set => set.ToSet(),
            _ => ((RegoObjectBuilder)collected).ToObject(),
        };
    }
}

/// <summary>A template string: parts are texts, or sets with the value of an expression, empty if that is undefined.</summary>
sealed class TemplateNode(TermNode[] parts) : TermNode
{
    public override RegoValue? Evaluate(Activation a)
    {
        var text = new System.Text.StringBuilder();
        foreach (var part in parts)
        {
            text.Append(part.Evaluate(a) switch
            {
                RegoString literal => literal.Value,
                RegoSet { Count: 1 } set => Shown(set.Items[0]),
                RegoSet { Count: > 1 } => throw Fault.Of(RegoErrorCode.Conflict, "template-strings must not produce multiple outputs", default),
                _ => "<undefined>",
            });
        }

        a.Evaluation.Charge(text.Length * 2L);
        return new RegoString(text.ToString());
    }

    private static string Shown(RegoValue value) => value is RegoString s ? s.Value : value.ToString();
}

namespace Kist.Rego.Builtins.GraphQl;

/// <summary>What both kinds of GraphQL documents are parsed with: tokens, lists, values, types and directives.</summary>
abstract class GraphParser
{
    private const int MaxDepth = 200;

    private readonly GraphLexer _lexer;
    private readonly BuiltinContext _context;
    private GraphToken _peek;
    private int _depth;

    protected GraphParser(string text, BuiltinContext context)
    {
        (_lexer, _context) = (new GraphLexer(text), context);
        _peek = _lexer.Next();
    }

    protected GraphToken Peek => _peek;

    protected bool IsAtEnd => _peek.Kind == GraphTokenKind.End;

    protected GraphToken Next()
    {
        _context.Evaluation.Tick();
        var token = _peek;
        _peek = _lexer.Next();
        return token;
    }

    protected bool Skip(string punctuator)
    {
        if (!_peek.Is(punctuator))
            return false;
        Next();
        return true;
    }

    protected void Expect(string punctuator)
    {
        if (!Skip(punctuator))
            throw Fault(_peek, $"Expected {punctuator}, found {GraphToken.NameOf(_peek)}");
    }

    protected void ExpectKeyword(string word)
    {
        if (!_peek.IsName(word))
            throw Fault(_peek, $"Expected \"{word}\", found {_peek}");
        Next();
    }

    protected string Name() => _peek.Kind == GraphTokenKind.Name ? Next().Text : throw Fault(_peek, $"Expected Name, found {GraphToken.NameOf(_peek)}");

    protected static GraphFault Unexpected(GraphToken token) => Fault(token, $"Unexpected {token}");

    protected static GraphFault Fault(GraphToken token, string message) => new(message, token.Line, token.Column);

    protected GraphNode NewNode() => new(_peek.Line, _peek.Column);

    /// <summary>What lies between two punctuators, if the first is there.</summary>
    protected List<GraphNode> Many(string start, string end, Func<GraphNode> item, bool needsOne = false)
    {
        var items = new List<GraphNode>();
        if (!Skip(start))
            return items;
        if (++_depth > MaxDepth)
            throw Fault(_peek, "the document is nested too deeply");
        while (!_peek.Is(end))
            items.Add(item());
        if (needsOne && items.Count == 0)
            throw Fault(_peek, $"expected at least one definition, found {GraphToken.NameOf(_peek)}");
        _depth--;
        Next();
        return items;
    }

    protected List<GraphNode> Some(string start, string end, Func<GraphNode> item) => Many(start, end, item, needsOne: true);

    protected List<GraphNode> Directives(bool isConstant)
    {
        var directives = new List<GraphNode>();
        while (_peek.Is("@"))
        {
            var node = NewNode();
            Next();
            node["Name"] = Name();
            node["Arguments"] = Arguments(isConstant);
            node["Location"] = "";
            directives.Add(node);
        }

        return directives;
    }

    protected List<GraphNode> Arguments(bool isConstant) => Many("(", ")", () => Named(isConstant));

    protected GraphNode TypeReference()
    {
        var node = NewNode();
        node["NamedType"] = "";
        if (!_peek.Is("["))
        {
            node["NamedType"] = Name();
        }
        else
        {
            if (++_depth > MaxDepth)
                throw Fault(_peek, "the document is nested too deeply");
            Next();
            node["Elem"] = TypeReference();
            Expect("]");
            _depth--;
        }

        node["NonNull"] = Skip("!");
        return node;
    }

    protected GraphNode Value(bool isConstant)
    {
        var token = _peek;
        if (token.Is("["))
            return Composite(GraphValueKind.List, Many("[", "]", () => Item(isConstant)), token);
        if (token.Is("{"))
            return Composite(GraphValueKind.Object, Many("{", "}", () => Named(isConstant)), token);
        if (token.Is("$"))
        {
            if (isConstant)
                throw Unexpected(token);
            Next();
            return Scalar(GraphValueKind.Variable, Name(), token);
        }

        var kind = token.Kind switch
        {
            GraphTokenKind.Int => GraphValueKind.Int,
            GraphTokenKind.Float => GraphValueKind.Float,
            GraphTokenKind.String => GraphValueKind.String,
            GraphTokenKind.BlockString => GraphValueKind.Block,
            GraphTokenKind.Name => token.Text switch
            {
                "true" or "false" => GraphValueKind.Boolean,
                "null" => GraphValueKind.Null,
                _ => GraphValueKind.Enum,
            },
            _ => throw Unexpected(token),
        };
        return Scalar(kind, Next().Text, token);
    }

    private GraphNode Item(bool isConstant)
    {
        var node = NewNode();
        node["Name"] = "";
        node["Value"] = Value(isConstant);
        return node;
    }

    /// <summary>An argument, or a field of an object: <c>name: value</c>.</summary>
    private GraphNode Named(bool isConstant)
    {
        var node = NewNode();
        node["Name"] = Name();
        Expect(":");
        node["Value"] = Value(isConstant);
        return node;
    }

    private static GraphNode Scalar(GraphValueKind kind, string raw, GraphToken at) => new(at.Line, at.Column) { ["Kind"] = (long)kind, ["Raw"] = raw };

    private static GraphNode Composite(GraphValueKind kind, List<GraphNode> children, GraphToken at)
    {
        var node = Scalar(kind, "", at);
        node["Children"] = children;
        return node;
    }
}

/// <summary>The kinds of values, numbered as in OPA's trees.</summary>
enum GraphValueKind
{
    Variable,
    Int,
    Float,
    String,
    Block,
    Boolean,
    Null,
    Enum,
    List,
    Object,
}

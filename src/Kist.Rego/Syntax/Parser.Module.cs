namespace Kist.Rego.Syntax;

sealed partial class Parser
{
    private static readonly string[] FutureKeywords = ["in", "every", "if", "contains"];

    private ModuleSyntax Module(RegoModule source)
    {
        var annotations = new Queue<Annotation>(AnnotationReader.Read(source));
        var ofPackage = Take(annotations);
        var package = Package();
        var imports = new List<ImportSyntax>();
        var rules = new List<RuleSyntax>();
        while (Kind != TokenKind.End)
        {
            var ofStatement = Take(annotations);
            if (IsKeyword("import"))
            {
                if (Import() is { } import)
                    imports.Add(import);
            }
            else
            {
                var first = rules.Count;
                Rules(rules);
                ofPackage.AddRange(ofStatement.Where(a => a.Scope is "package" or "subpackages"));
                rules[first] = rules[first] with { Annotations = [.. ofStatement.Where(a => a.Scope is not ("package" or "subpackages"))] };
            }
        }

        return new ModuleSyntax(source, package, imports, rules) { Annotations = ofPackage, IsV1 = _isV1 };
    }

    /// <summary>The annotations before the statement that comes now.</summary>
    private List<Annotation> Take(Queue<Annotation> annotations)
    {
        var taken = new List<Annotation>();
        while (annotations.TryPeek(out var next) && next.NextRow <= Current.Row)
            taken.Add(annotations.Dequeue());
        return taken;
    }

    private List<string> Package()
    {
        if (!TryKeyword("package"))
            throw Unexpected("package expected");
        if (Current.LineBefore)
            throw Fail("package name must be on the line of its keyword");
        var path = new List<string>();
        if (Kind != TokenKind.Identifier)
            throw Unexpected("expected a package name");
        path.Add(TextOf(Advance()).ToString());
        StringPath(path);
        return path;
    }

    /// <summary>The keys <c>.name</c> and <c>["text"]</c> that follow a name without white space.</summary>
    private void StringPath(List<string> path)
    {
        while (!Current.SpaceBefore)
        {
            if (path.Count > MaxDepth)
                throw Fail("the path is too long");
            if (Try(TokenKind.Dot))
            {
                if (Kind != TokenKind.Identifier || Current.SpaceBefore)
                    throw Unexpected("expected ident");
                path.Add(TextOf(Advance()).ToString());
            }
            else if (Kind == TokenKind.OpenBracket)
            {
                Advance();
                if (Kind is not (TokenKind.String or TokenKind.RawString))
                    throw Unexpected("expected a string");
                path.Add(StringValue(Advance()));
                Expect(TokenKind.CloseBracket, "]");
            }
            else
            {
                return;
            }
        }
    }

    private ImportSyntax? Import()
    {
        var at = Here;
        Advance();
        if (Kind != TokenKind.Identifier)
            throw Unexpected("expected a path that begins with data, input, future or rego");
        var root = TextOf(Advance()).ToString();
        var path = new List<string>();
        StringPath(path);
        var alias = TryKeyword("as") ? Name("an alias") : null;
        switch (root)
        {
            case "data" or "input":
                return new ImportSyntax(at, root, path, alias ?? (path.Count > 0 ? path[^1] : root));
            case "rego":
                if (path is not ["v1" or "v2"])
                    throw FailAt(at, $"invalid import `rego.{string.Join('.', path)}`, must be `rego.v1`");
                _negatesBodies |= path is ["v2"];
                if (alias is not null)
                    throw FailAt(at, "`rego` imports cannot be aliased");
                UseV1();
                return null;
            case "future":
                FutureImport(at, path, alias);
                return null;
            default:
                throw FailAt(at, $"unexpected import path, must begin with one of: {{data, future, input, rego}}, got: {root}");
        }
    }

    private void FutureImport(RegoLocation at, List<string> path, string? alias)
    {
        if (path is not ["keywords", ..])
            throw FailAt(at, "invalid import, must be `future.keywords`");
        if (alias is not null)
            throw FailAt(at, "`future` imports cannot be aliased");
        switch (path)
        {
            case [_]:
                _keywords.UnionWith(FutureKeywords);
                break;
            case [_, "every"]:
                _keywords.UnionWith(["in", "every"]);
                break;
            case [_, "not"]:
                _negatesBodies = true;
                break;
            case [_, var keyword] when FutureKeywords.Contains(keyword):
                _keywords.Add(keyword);
                break;
            default:
                throw FailAt(at, $"unexpected keyword, must be one of {string.Join(", ", FutureKeywords)}");
        }
    }
}

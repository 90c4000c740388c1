namespace Kist.Rego.Tests;

/// <summary>graphql.*: trees have the members of OPA's, messages its words and places.</summary>
public class GraphQlTests
{
    private const string Shop =
        """
        schema := `
        type Query { item(id: ID!, kind: Kind = BOOK): Item  all: [Item!]! }
        interface Item { id: ID!  title: String }
        type Book implements Item { id: ID!  title: String  pages(from: Int = 1): [Page!] }
        type Page { text: String }
        type Lamp implements Item { id: ID!  title: String  watts: Float @deprecated(reason: "energy") }
        enum Kind { BOOK LAMP }
        input Filter { text: String!  max: Int }
        extend type Query { find(by: Filter!): [Item!] }
        `
        """;

    [Fact]
    public void ParseQuery_OfAShortQuery_GivesOpasTree() => Assert.Equal(
        """{"Operations":[{"Name":"","Operation":"query","SelectionSet":[{"Alias":"a","Arguments":[{"Name":"n","Value":{"Children":[{"Name":"","Value":{"Kind":1,"Raw":"1"}},{"Name":"","Value":{"Kind":0,"Raw":"v"}}],"Kind":8,"Raw":""}}],"Name":"item","SelectionSet":[{"Name":"rest"},{"Directives":[{"Location":"","Name":"skip"}],"SelectionSet":[{"Alias":"x","Name":"x"}],"TypeCondition":""}]}]}]}""",
        Rego.Json("p := graphql.parse_query(`{ a: item(n: [1, $v]) { ...rest ... @skip { x } } }`)"));

    [Fact]
    public void ParseQuery_OfVariablesAndBlockStrings_GivesOpasTree()
    {
        Assert.Equal(
            """[{"DefaultValue":{"Children":[{"Name":"on","Value":{"Kind":5,"Raw":"true"}}],"Kind":9,"Raw":""},"Type":{"Elem":{"NamedType":"T","NonNull":true},"NamedType":"","NonNull":false},"Used":false,"Variable":"v"}]""",
            Rego.Json("p := graphql.parse_query(`query q($v: [T!] = {on: true}) { f }`).Operations[0].VariableDefinitions"));
        Assert.Equal(
            "{\"Kind\":4,\"Raw\":\"first\\n  second \\\"\\\"\\\"\"}",
            Rego.Json("p := graphql.parse_query(`{ f(t: \"\"\"\n    first\n      second \\\"\"\"\n  \"\"\") }`).Operations[0].SelectionSet[0].Arguments[0].Value"));
    }

    [Theory]
    [InlineData("{", "Expected Name, found <EOF> in GraphQL string at location 1:2")]
    [InlineData("{ f { } }", "expected at least one definition, found } in GraphQL string at location 1:7")]
    [InlineData("{ ...on }", "Expected Name, found } in GraphQL string at location 1:9")]
    [InlineData("select f", "Unexpected Name \"select\" in GraphQL string at location 1:1")]
    [InlineData("fragment f of T { x }", "Expected \"on\", found Name \"of\" in GraphQL string at location 1:12")]
    [InlineData("query ($a: Int = $b) { f }", "Unexpected $ in GraphQL string at location 1:18")]
    [InlineData("query ($a Int) { f }", "Expected :, found Name in GraphQL string at location 1:11")]
    public void ParseQuery_OfWhatIsNone_SaysWhereAndWhy(string query, string message)
    {
        var error = Rego.Error($"p := graphql.parse_query(`{query}`)");
        Assert.Equal((RegoErrorCode.BuiltIn, $"graphql.parse_query: {message}"), (error.Code, error.Message));
    }

    [Theory]
    [InlineData("type A {}", "expected at least one definition, found } in GraphQL string at location 1:9")]
    [InlineData("extend type A", "Unexpected <EOF> in GraphQL string at location 1:14")]
    [InlineData("union U = A | | B", "Expected Name, found | in GraphQL string at location 1:15")]
    [InlineData("directive @d on FIELDS", "Unexpected Name \"FIELDS\" in GraphQL string at location 1:17")]
    [InlineData("\\\"text\\\" extend type A { x: T }", "Unexpected String \"text\" in GraphQL string at location 1:2")]
    public void ParseSchema_OfWhatIsNone_SaysWhereAndWhy(string schema, string message) =>
        Assert.Equal($"graphql.parse_schema: {message}", Rego.Error($"p := graphql.parse_schema(\"{schema}\")").Message);

    [Fact]
    public void ParseSchema_OfEachKind_GivesOpasTree() => Assert.Equal(
        """{"Definitions":[{"BuiltIn":false,"Description":"d","Fields":[{"Arguments":[{"DefaultValue":{"Kind":1,"Raw":"1"},"Description":"","Name":"a","Type":{"NamedType":"Int","NonNull":false}}],"Description":"","Name":"f","Type":{"NamedType":"S","NonNull":true}}],"Interfaces":["I","J"],"Kind":"OBJECT","Name":"A"},{"BuiltIn":false,"Description":"","Kind":"UNION","Name":"U","Types":["A","B"]}],"Directives":[{"Description":"","IsRepeatable":true,"Locations":["FIELD","ENUM"],"Name":"d"}],"Extensions":[{"BuiltIn":false,"Description":"","Directives":[{"Location":"","Name":"x"}],"Kind":"SCALAR","Name":"Z"}],"Schema":[{"Description":"","OperationTypes":[{"Operation":"query","Type":"A"}]}]}""",
        Rego.Json("p := graphql.parse_schema(`\"d\" type A implements & I & J { f(a: Int = 1): S! } union U = | A | B directive @d repeatable on FIELD | ENUM extend scalar Z @x schema { query: A }`)"));

    [Theory]
    [InlineData("{ all { id title } }", true)]
    [InlineData("{ item(id: 4) { ... on Book { pages(from: 2) { text } } ... on Lamp { watts } } }", true)]
    [InlineData("query q($k: Kind = LAMP, $i: ID!) { item(id: $i, kind: $k) { __typename } }", true)]
    [InlineData("{ all { ...f } } fragment f on Item { id }", true)]
    [InlineData("{ find(by: {text: \"a\", max: 3}) { id } }", true)]
    [InlineData("{ __schema { types { name } } __type(name: \"Book\") { name } }", true)]
    [InlineData("{ all { price } }", false)]
    [InlineData("{ all }", false)]
    [InlineData("{ all { id { x } } }", false)]
    [InlineData("{ item { id } }", false)]
    [InlineData("{ item(id: 4, kind: CHAIR) { id } }", false)]
    [InlineData("{ item(id: 4, size: 1) { id } }", false)]
    [InlineData("{ item(id: 4, id: 5) { id } }", false)]
    [InlineData("{ find(by: {max: 3}) { id } }", false)]
    [InlineData("{ find(by: {text: 1}) { id } }", false)]
    [InlineData("query q($k: Kind) { all { id } }", false)]
    [InlineData("query q($i: Int!) { item(id: $i) { id } }", false)]
    [InlineData("query q($i: ID) { item(id: $i) { id } }", false)]
    [InlineData("{ item(id: $i) { id } }", false)]
    [InlineData("{ all { ...f } } fragment f on Page { text }", false)]
    [InlineData("{ all { id } } fragment f on Item { id }", false)]
    [InlineData("{ all { ...f } } fragment f on Item { ...f }", false)]
    [InlineData("{ all { ...g } }", false)]
    [InlineData("{ a: all { id } a: item(id: 1) { id } }", false)]
    [InlineData("{ all { id @skip } }", false)]
    [InlineData("{ all { id @unknown } }", false)]
    [InlineData("mutation { change }", false)]
    [InlineData("{ all { id } } { all { id } }", false)]
    [InlineData("{", false)]
    public void IsValid_OfAQuery_FollowsTheRules(string query, bool expected) =>
        Assert.Equal(RegoValue.Of(expected), Rego.P($"{Shop}\np := graphql.is_valid(`{query}`, schema)"));

    [Theory]
    [InlineData("type A { x: Int }", true)]
    [InlineData("extend type A { x: Int }", true)]
    [InlineData("extend schema @unknown", true)]
    [InlineData("type A { x: Nothing }", false)]
    [InlineData("type A implements I { x: Int } interface I { y: Int }", false)]
    [InlineData("interface I { x: Int } interface J implements I { x: Int } type A implements J { x: Int }", false)]
    [InlineData("type A { x: Int } type A { y: Int }", false)]
    [InlineData("type A { x: Int x: Int }", false)]
    [InlineData("type __A { x: Int }", false)]
    [InlineData("enum E { true }", false)]
    [InlineData("input F { x: A } type A { x: Int }", false)]
    [InlineData("type A { x(y: A): Int }", false)]
    [InlineData("type A { x: Int @skip(if: true) }", false)]
    [InlineData("schema { query: Nothing }", false)]
    [InlineData("union U = Int", false)]
    public void SchemaIsValid_OfASchema_FollowsTheRules(string schema, bool expected) =>
        Assert.Equal(RegoValue.Of(expected), Rego.P($"p := graphql.schema_is_valid(`{schema}`)"));

    [Fact]
    public void Parse_OfAQueryAndItsSchema_SaysWhatEachPartIs()
    {
        Assert.Equal(
            """["Kind",true,["BOOK","LAMP"],"Query","Item"]""",
            Rego.Json($$"""
            {{Shop}}
            p := [v.ExpectedType.NamedType, v.VariableDefinition.Used, [e.Name | some e in v.Definition.EnumValues], f.ObjectDefinition.Name, f.Definition.Type.NamedType] if {
                [q, _] := graphql.parse(`query q($k: Kind) { item(id: 1, kind: $k) { id } }`, schema)
                f := q.Operations[0].SelectionSet[0]
                v := f.Arguments[1].Value
            }
            """));
        Assert.Equal("[false,{},{}]", Rego.Json($"{Shop}\np := graphql.parse_and_verify(`{{ nothing }}`, schema)"));
        var error = Rego.Error($"{Shop}\np := graphql.parse(`\n{{ item {{ id }} }}`, schema)");
        Assert.Equal("graphql.parse: Field \"item\" argument \"id\" of type \"ID!\" is required, but it was not provided in GraphQL query string at location 2:3", error.Message);
    }

    [Fact]
    public void IsValid_OfTrees_ReadsThem()
    {
        Assert.Equal("true", Rego.Json($"{Shop}\np := graphql.is_valid(graphql.parse_query(`{{ all {{ id }} }}`), graphql.parse_schema(schema))"));
        Assert.Equal("false", Rego.Json($"{Shop}\np := graphql.is_valid({{\"Operations\": [{{\"Operation\": \"query\", \"SelectionSet\": [{{\"Alias\": \"a\", \"Name\": \"item\", \"Arguments\": [{{\"Name\": \"id\"}}]}}]}}]}}, schema)"));
        Assert.Equal("false", Rego.Json("p := graphql.schema_is_valid({\"Definitions\": [{\"Kind\": \"OBJECT\", \"Name\": \"A\", \"Fields\": [{\"Name\": \"x\"}]}]})"));
    }

    [Fact]
    public void ParseQuery_OfDeepNesting_EndsWithAnError() =>
        Assert.Contains("nested too deeply", Rego.Error($"p := graphql.parse_query(`{string.Concat(Enumerable.Repeat("{a", 5000))}`)").Message, StringComparison.Ordinal);
}

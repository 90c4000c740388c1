namespace Kist.Rego.Tests;

public class FormatterTests
{
    private const string Untidy =
        """
        # METADATA
        # title: door
        package   door
        import data.keys as k


        default allow:=false
        allow if{


          some i,x in  input.list   # each
          x . y == -1 ;not z
              f( x,[ 1,2 ] )  with input as {"a" :1,
          "b":  [
          2,-3]}
          # last

        }
        else := 2 if count(k)>1



        z contains x-1 if x := `raw
          text`
        """;

    private const string Tidy =
        "# METADATA\n# title: door\npackage door\n\nimport data.keys as k\n\ndefault allow := false\nallow if {\n\tsome i, x in input.list # each\n\tx.y == -1; not z\n" +
        "\tf(x, [1, 2]) with input as {\"a\": 1,\n\t\t\"b\": [\n\t\t\t2, -3]}\n\t# last\n}\nelse := 2 if count(k) > 1\n\nz contains x - 1 if x := `raw\n  text`\n";

    [Fact]
    public void Format_OfAnUntidyModule_LaysItOut() => Assert.Equal(Tidy, Format(Untidy.Replace("x . y", "x.y", StringComparison.Ordinal)));

    [Fact]
    public void Format_OfWhatIsFormatted_ChangesNothing() => Assert.Equal(Tidy, Format(Tidy));

    [Theory]
    [InlineData("package a\np := x if {\n x := 1 +\n2\n}", "package a\n\np := x if {\n\tx := 1 +\n\t\t2\n}\n")]
    [InlineData("package a\np if {\nq with input as 1\nwith data.x as 2\n}", "package a\n\np if {\n\tq with input as 1\n\t\twith data.x as 2\n}\n")]
    [InlineData("package a\np := {x |\nsome x in [1]\n}", "package a\n\np := {x |\n\tsome x in [1]\n}\n")]
    [InlineData("package a\np := f([{\n\"a\": 1,\n}])", "package a\n\np := f([{\n\t\"a\": 1,\n}])\n")]
    [InlineData("package a\r\np := 1\r\n\r\n\r\nq := 2\r\n", "package a\n\np := 1\n\nq := 2\n")]
    [InlineData("package a # here\np := [1]", "package a # here\n\np := [1]\n")]
    [InlineData("package a", "package a\n")]
    public void Format_OfEachShape_PutsItRight(string text, string expected)
    {
        Assert.Equal(expected, Format(text));
        Assert.Equal(expected, Format(expected));
    }

    [Fact]
    public void Format_OfTheShippedPolicies_KeepsTheirMeaning()
    {
        var folder = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "../../../../../src"));
        var files = Directory.EnumerateFiles(folder, "*.rego", SearchOption.AllDirectories).Where(f => !f.Contains("/bin/", StringComparison.Ordinal) && !f.Contains("/obj/", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(files);
        Assert.All(files, f =>
        {
            var once = RegoFormatter.Format(new RegoModule(f, File.ReadAllText(f)), RegoVersion.Either);
            Assert.Equal(once, RegoFormatter.Format(new RegoModule(f, once), RegoVersion.Either));
        });
    }

    [Fact]
    public void Format_OfWhatDoesNotParse_SaysWhy() =>
        Assert.Equal(RegoErrorCode.Parse, Assert.Throws<RegoException>(() => Format("package a\np := ")).Code);

    private static string Format(string text) => RegoFormatter.Format(new RegoModule("m.rego", text), RegoVersion.V1);
}

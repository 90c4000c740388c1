namespace Kist.Rego.Tests;

/// <summary>Built-in functions: one expression, its value. The expected values follow the language's reference.</summary>
public class BuiltinTests
{
    private static string Value(string expression, string? input = null) => Rego.Json($"p := {expression}", input);

    [Theory]
    [InlineData("""concat(",", {"b", "a"})""", "\"a,b\"")]
    [InlineData("""contains("abc", "bc")""", "true")]
    [InlineData("""split("a.b.c", ".")""", """["a","b","c"]""")]
    [InlineData("""split("aé", "")""", """["a","é"]""")]
    [InlineData("""strings.split_n("a.b.c", ".", -2)""", """["b","c"]""")]
    [InlineData("""replace("aaa", "a", "bb")""", "\"bbbbbb\"")]
    [InlineData("""replace("ab", "", "-")""", "\"-a-b-\"")]
    [InlineData("""strings.replace_n({"<": "&lt;", ">": "&gt;"}, "a<b>")""", "\"a\\u0026lt;b\\u0026gt;\"")]
    [InlineData("""strings.replace_n({"": "X", "a": "Y"}, "ab")""", "\"XYXbX\"")]
    [InlineData("""substring("héllo", 1, 3)""", "\"éll\"")]
    [InlineData("""substring("abc", 1, -1)""", "\"bc\"")]
    [InlineData("""indexof("a😀b", "b")""", "2")]
    [InlineData("""indexof_n("abab", "b")""", "[1,3]")]
    [InlineData("""strings.count("cheese", "e")""", "3")]
    [InlineData("""trim("..a..", ".")""", "\"a\"")]
    [InlineData("""trim_left("..a..", ".")""", "\"a..\"")]
    [InlineData("""trim_suffix("a.rego", ".rego")""", "\"a\"")]
    [InlineData("""trim_space("  a\t\n")""", "\"a\"")]
    [InlineData("""upper("é")""", "\"É\"")]
    [InlineData("""format_int(255, 16)""", "\"ff\"")]
    [InlineData("""format_int(-5.9, 2)""", "\"-101\"")]
    [InlineData("""strings.reverse("ab😀")""", "\"😀ba\"")]
    [InlineData("""strings.any_prefix_match(["a/b"], {"a/", "x"})""", "true")]
    [InlineData("""strings.render_template("{{range $i, $n := .names}}{{if $i}}, {{end}}{{$n}}{{end}}{{.no}}", {"names": ["a", "b"]})""", "\"a, b<undefined>\"")]
    public void Strings_OfEachFunction_GiveTheirValue(string expression, string expected) =>
        Assert.Equal(expected.Replace("\\u0026", "&", StringComparison.Ordinal), Value(expression));

    [Theory]
    [InlineData("""sprintf("%d|%5d|%-5d|%05d|%+d", [1, 2, 3, 4, 5])""", "1|    2|3    |00004|+5")]
    [InlineData("""sprintf("%s|%q|%v|%10s", ["a", "b\n", {"k": [1]}, "c"])""", "a|\"b\\n\"|{\"k\": [1]}|         c")]
    [InlineData("""sprintf("%.2f|%e|%g|%v", [3.14159, 1234.5, 1e21, 0.000001])""", "3.14|1.234500e+03|1e+21|1e-06")]
    [InlineData("""sprintf("%x|%X|%#x|%b|%o|%c|%U", [255, 255, 255, 5, 8, 65, 955])""", "ff|FF|0xff|101|10|A|U+03BB")]
    [InlineData("""sprintf("%d", ["a"])""", "%!d(string=a)")]
    [InlineData("""sprintf("%d %d", [1])""", "1 %!d(MISSING)")]
    [InlineData("""sprintf("%d", [1, 2])""", "1%!(EXTRA int=2)")]
    [InlineData("""sprintf("%[2]d %[1]d", [1, 2])""", "2 1")]
    [InlineData("""sprintf("%*d", [4, 7])""", "   7")]
    [InlineData("""sprintf("100%%", [])""", "100%")]
    [InlineData("""sprintf("%v %v %v", [true, null, {1}])""", "true null {1}")]
    public void Sprintf_OfEachVerb_FormatsAsGo(string expression, string expected) =>
        Assert.Equal(expected, ((RegoString)Rego.P($"p := {expression}")!).Value);

    [Theory]
    [InlineData("10 / 4", "2.5")]
    [InlineData("7 % 3", "1")]
    [InlineData("-7 % 3", "-1")]
    [InlineData("18446744073709551617 * 2", "36893488147419103234")]
    [InlineData("round(2.5)", "3")]
    [InlineData("round(-2.5)", "-3")]
    [InlineData("ceil(1.1)", "2")]
    [InlineData("floor(-1.1)", "-2")]
    [InlineData("abs(-1.5)", "1.5")]
    [InlineData("sum([1, 2.5])", "3.5")]
    [InlineData("product({2, 3})", "6")]
    [InlineData("max([1, \"a\", [2]])", "[2]")]
    [InlineData("min([])", "undefined")]
    [InlineData("sort([\"b\", 1, null, {\"a\": 1}, true])", "[null,true,1,\"b\",{\"a\":1}]")]
    [InlineData("numbers.range(3, 1)", "[3,2,1]")]
    [InlineData("numbers.range_step(0, 6, 2)", "[0,2,4,6]")]
    [InlineData("to_number(\"0.5\")", "0.5")]
    [InlineData("to_number(true)", "1")]
    [InlineData("to_number(\"x\")", "undefined")]
    [InlineData("bits.lsh(1, 65)", "36893488147419103232")]
    [InlineData("bits.negate(5)", "-6")]
    [InlineData("1.0 == 1", "true")]
    [InlineData("count({1, 1.0, 1e0})", "1")]
    [InlineData("1e400 > 1e399", "true")]
    [InlineData("units.parse(\"10Ki\")", "10240")]
    [InlineData("units.parse(\"100m\")", "0.1")]
    [InlineData("units.parse_bytes(\"1.5GB\")", "1500000000")]
    public void Numbers_OfEachFunction_GiveTheirValue(string expression, string expected) => Assert.Equal(expected, Value(expression));

    [Theory]
    [InlineData("array.concat([1], [2])", "[1,2]")]
    [InlineData("array.slice([1, 2, 3], -1, 2)", "[1,2]")]
    [InlineData("array.reverse([1, 2])", "[2,1]")]
    [InlineData("array.flatten([1, [2, [3]]])", "[1,2,[3]]")]
    [InlineData("{1, 2} & {2, 3}", "[2]")]
    [InlineData("union({{1}, {2}})", "[1,2]")]
    [InlineData("intersection({{1, 2}, {2}})", "[2]")]
    [InlineData("object.get({\"a\": {\"b\": 1}}, [\"a\", \"b\"], 0)", "1")]
    [InlineData("object.get({}, \"a\", 0)", "0")]
    [InlineData("object.union({\"a\": {\"b\": 1}}, {\"a\": {\"c\": 2}})", "{\"a\":{\"b\":1,\"c\":2}}")]
    [InlineData("object.union_n([{\"a\": {\"b\": 2}}, {\"a\": 4}, {\"a\": {\"c\": 3}}])", "{\"a\":{\"c\":3}}")]
    [InlineData("object.remove({\"a\": 1, \"b\": 2}, [\"a\"])", "{\"b\":2}")]
    [InlineData("object.filter({\"a\": 1, \"b\": 2}, {\"a\"})", "{\"a\":1}")]
    [InlineData("object.keys({\"a\": 1})", "[\"a\"]")]
    [InlineData("object.subset({\"a\": {\"b\": 1, \"c\": 2}}, {\"a\": {\"b\": 1}})", "true")]
    [InlineData("object.subset([1, 2, 3], [2, 3])", "true")]
    [InlineData("json.filter({\"a\": {\"b\": 1, \"c\": 2}, \"d\": 3}, [\"a/b\"])", "{\"a\":{\"b\":1}}")]
    [InlineData("json.remove({\"a\": {\"b\": 1, \"c\": 2}}, [\"/a/b\"])", "{\"a\":{\"c\":2}}")]
    [InlineData("json.patch({\"a\": [1]}, [{\"op\": \"add\", \"path\": \"/a/-\", \"value\": 2}, {\"op\": \"test\", \"path\": \"a/0\", \"value\": 1}])", "{\"a\":[1,2]}")]
    [InlineData("json.patch({}, [{\"op\": \"remove\", \"path\": \"/a\"}])", "undefined")]
    [InlineData("graph.reachable({\"a\": [\"b\"], \"b\": [\"a\"], \"c\": []}, {\"a\"})", "[\"a\",\"b\"]")]
    [InlineData("graph.reachable_paths({\"a\": [\"b\"], \"b\": []}, {\"a\"})", "[[\"a\",\"b\"]]")]
    [InlineData("type_name(set())", "\"set\"")]
    [InlineData("is_string(1)", "false")]
    public void Collections_OfEachFunction_GiveTheirValue(string expression, string expected) => Assert.Equal(expected, Value(expression));

    [Theory]
    [InlineData("""regex.match(`^a\d+$`, "a12")""", "true")]
    [InlineData("""regex.match(`\d`, "٣")""", "false")]
    [InlineData("""regex.match(`a$`, "a\n")""", "false")]
    [InlineData("""regex.match(`(?m)^b$`, "a\nb\nc")""", "true")]
    [InlineData("""regex.match(`[[:alpha:]]+\pL`, "abé")""", "true")]
    [InlineData("""regex.is_valid(`(?=a)`)""", "false")]
    [InlineData("""regex.is_valid(`(a)\1`)""", "false")]
    [InlineData("""regex.is_valid(`a**`)""", "false")]
    [InlineData("""regex.is_valid(`a{1001}`)""", "false")]
    [InlineData("""regex.is_valid(`(a{1,40}){1,40}`)""", "false")]
    [InlineData("""regex.is_valid(`(a{1,30}b){1,30}`)""", "true")]
    [InlineData("""regex.split(`,\s*`, "a, b,c")""", """["a","b","c"]""")]
    [InlineData("""regex.find_n(`a.`, "paranormal", -1)""", """["ar","an","al"]""")]
    [InlineData("""regex.find_n(`a*`, "baa", -1)""", """["","aa"]""")]
    [InlineData("""regex.find_all_string_submatch_n(`a(x*)b`, "-axxb-ab-", -1)""", """[["axxb","xx"],["ab",""]]""")]
    [InlineData("""regex.replace("foo bar", `(?P<w>\w+) (\w+)`, "$2 ${w}s $$")""", "\"bar foos $\"")]
    [InlineData("""regex.template_match("urn:foo:{.*}", "urn:foo:bar", "{", "}")""", "true")]
    [InlineData("""regex.globs_match("a.a.[0-9]+z", "b.b.[0-9]+z")""", "false")]
    [InlineData("""regex.globs_match("[a-z]+", "[0-9]*x")""", "true")]
    [InlineData("""glob.match("*.github.com", [], "api.github.com")""", "true")]
    [InlineData("""glob.match("*.github.com", [], "a.b.github.com")""", "false")]
    [InlineData("""glob.match("a/**/b", ["/"], "a/x/y/b")""", "true")]
    [InlineData("""glob.match("{cat,[fr]at}", null, "rat")""", "true")]
    [InlineData("""glob.match("?", null, "")""", "false")]
    [InlineData("""glob.quote_meta("*.a")""", "\"\\\\*.a\"")]
    public void Patterns_OfEachFunction_GiveTheirValue(string expression, string expected) => Assert.Equal(expected, Value(expression));

    [Theory]
    [InlineData("""base64.encode("hi?>")""", "\"aGk/Pg==\"")]
    [InlineData("""base64.decode("aGk=")""", "\"hi\"")]
    [InlineData("""base64url.encode_no_pad("hi?>")""", "\"aGk_Pg\"")]
    [InlineData("""base64url.decode("aGk_Pg")""", "\"hi?>\"")]
    [InlineData("""hex.encode("hi")""", "\"6869\"")]
    [InlineData("""urlquery.encode("a b&c")""", "\"a+b%26c\"")]
    [InlineData("""urlquery.decode_object("a=1&a=2&b=%20")""", """{"a":["1","2"],"b":[" "]}""")]
    [InlineData("""json.unmarshal("[1, 2.50]")""", "[1,2.50]")]
    [InlineData("""json.marshal({"b": {2, 1}, "a": "<"})""", "\"{\\\"a\\\":\\\"\\\\u003c\\\",\\\"b\\\":[1,2]}\"")]
    [InlineData("""json.is_valid("{")""", "false")]
    [InlineData("""yaml.unmarshal("a: [1, yes]\nb: &x {c: ~}\nd: *x")""", """{"a":[1,true],"b":{"c":null},"d":{"c":null}}""")]
    [InlineData("""yaml.marshal({"a": [1, {"b": "x: y"}]})""", "\"a:\\n- 1\\n- b: 'x: y'\\n\"")]
    [InlineData("""yaml.is_valid("a: {")""", "false")]
    [InlineData("""crypto.sha256("a")""", "\"ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb\"")]
    [InlineData("""crypto.md5("a")""", "\"0cc175b9c0f1b6a831c399e269772661\"")]
    [InlineData("""crypto.hmac.sha256("what do ya want for nothing?", "Jefe")""", "\"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843\"")]
    [InlineData("""io.jwt.decode_verify(io.jwt.encode_sign({"alg": "HS256"}, {"iss": "me", "exp": 2000000000}, {"kty": "oct", "k": "c2VjcmV0"}), {"secret": "secret", "iss": "me", "time": 1900000000000000000})[0]""", "true")]
    [InlineData("""io.jwt.decode_verify(io.jwt.encode_sign({"alg": "HS256"}, {"exp": 1}, {"kty": "oct", "k": "c2VjcmV0"}), {"secret": "secret"})[0]""", "false")]
    [InlineData("""io.jwt.decode_verify(io.jwt.encode_sign({"alg": "HS256"}, {"aud": "b"}, {"kty": "oct", "k": "c2VjcmV0"}), {"secret": "secret"})[0]""", "false")]
    [InlineData("""io.jwt.verify_hs256(io.jwt.encode_sign({"alg": "HS256"}, {}, {"kty": "oct", "k": "c2VjcmV0"}), "other")""", "false")]
    [InlineData("""json.match_schema({"id": "x"}, {"properties": {"id": {"type": "integer"}}})""", """[false,[{"desc":"Invalid type. Expected: integer, given: string","error":"id: Invalid type. Expected: integer, given: string","field":"id","type":"invalid_type"}]]""")]
    [InlineData("""json.verify_schema({"type": "nothing"})[0]""", "false")]
    public void Encodings_OfEachFunction_GiveTheirValue(string expression, string expected) => Assert.Equal(expected, Value(expression));

    [Theory]
    [InlineData("""time.parse_rfc3339_ns("1970-01-01T00:00:01.5Z")""", "1500000000")]
    [InlineData("""time.parse_ns("2006-01-02 15:04 -0700", "2020-02-29 12:00 +0100")""", "1582974000000000000")]
    [InlineData("""time.parse_ns("Mon, 02 Jan 2006", "Sat, 29 Feb 2020")""", "1582934400000000000")]
    [InlineData("""time.parse_duration_ns("1h2m3.5s")""", "3723500000000")]
    [InlineData("""time.date(1582977600000000000)""", "[2020,2,29]")]
    [InlineData("""time.clock([1582977600000000000, "Asia/Kolkata"])""", "[17,30,0]")]
    [InlineData("""time.weekday(1582977600000000000)""", "\"Saturday\"")]
    [InlineData("""time.add_date(1582977600000000000, 1, 0, 0)""", "1614600000000000000")]
    [InlineData("""time.diff(time.parse_ns("2006-01-02", "2020-02-02"), time.parse_ns("2006-01-02", "2020-03-01"))""", "[0,0,28,0,0,0]")]
    [InlineData("""time.format([1670006453141828752, "Asia/Kolkata", "RFC1123Z"])""", "\"Sat, 03 Dec 2022 00:10:53 +0530\"")]
    [InlineData("""time.format(1670006453141828752)""", "\"2022-12-02T18:40:53.141828752Z\"")]
    [InlineData("""time.parse_ns("2006-01-02", "2021-02-29")""", "undefined")]
    [InlineData("""count({time.now_ns(), time.now_ns()})""", "1")]
    [InlineData("""semver.compare("1.10.0", "1.9.0-rc.1")""", "1")]
    [InlineData("""semver.compare("1.0.0-alpha.1", "1.0.0-alpha.beta")""", "-1")]
    [InlineData("""semver.is_valid("1.02.3")""", "false")]
    [InlineData("""net.cidr_contains("10.0.0.0/8", "10.1.2.3")""", "true")]
    [InlineData("""net.cidr_intersects("10.0.0.0/8", "10.1.0.0/16")""", "true")]
    [InlineData("""net.cidr_expand("10.0.0.0/30")""", """["10.0.0.0","10.0.0.1","10.0.0.2","10.0.0.3"]""")]
    [InlineData("""net.cidr_merge(["10.0.0.0/25", "10.0.0.128/25", "fe80::/64"])""", """["10.0.0.0/24","fe80::/64"]""")]
    [InlineData("""net.cidr_contains_matches({"a": "10.0.0.0/8"}, ["10.1.1.1"])""", """[["a",0]]""")]
    [InlineData("""net.cidr_is_valid("10.0.0.0/33")""", "false")]
    [InlineData("""uuid.parse("000003e8-48b9-21ee-b200-325096b39f47").time""", "1693566990121469600")]
    [InlineData("""regex.match(`^[0-9a-f]{8}-[0-9a-f]{4}-4`, uuid.rfc4122("k"))""", "true")]
    [InlineData("""rand.intn("k", 10) == rand.intn("k", 10)""", "true")]
    [InlineData("""http.send({"method": "get", "url": "http://127.0.0.1"})""", "undefined")]
    public void Others_OfEachFunction_GiveTheirValue(string expression, string expected) => Assert.Equal(expected, Value(expression));

    [Fact]
    public void AwsSignature_OfARequest_IsThatOfThePublishedExample()
    {
        // The request and the signature are those of OPA's documentation of providers.aws.sign_req.
        const string Request = """providers.aws.sign_req({"method": "get", "url": "http://example.com"}, {"aws_access_key": "MYAWSACCESSKEYGOESHERE", "aws_secret_access_key": "MYAWSSECRETACCESSKEYGOESHERE", "aws_service": "s3", "aws_region": "us-east-1"}, 1451311705000000000).headers.Authorization""";
        Assert.EndsWith("Signature=0047a7016c81e5c7f29cd522f97e911e04fc472fced0aee7916cbc287ad6c8e3\"", Value(Request));
    }

    [Fact]
    public void Metadata_OfRuleAndPackage_IsSeen() => Assert.Equal(
        """[{"annotations":{"authors":[{"email":"a@b","name":"A"}],"scope":"rule","title":"T"},"path":["test","p"]},{"annotations":{"description":"D","scope":"package"},"path":["test"]}]""",
        Rego.Query("data.test.p", ["# METADATA\n# description: D\npackage test\n\n# METADATA\n# title: T\n# authors:\n# - A <a@b>\np := rego.metadata.chain()"]).Value!.ToJson());

    [Fact]
    public void Certificates_OfAChain_AreParsedAndVerified()
    {
        using var rootKey = System.Security.Cryptography.ECDsa.Create(System.Security.Cryptography.ECCurve.NamedCurves.nistP256);
        var rootRequest = new System.Security.Cryptography.X509Certificates.CertificateRequest("CN=root", rootKey, System.Security.Cryptography.HashAlgorithmName.SHA256);
        rootRequest.CertificateExtensions.Add(new System.Security.Cryptography.X509Certificates.X509BasicConstraintsExtension(true, false, 0, true));
        var from = DateTimeOffset.UnixEpoch.AddYears(50);
        using var root = rootRequest.CreateSelfSigned(from, from.AddYears(30));
        using var leafKey = System.Security.Cryptography.ECDsa.Create(System.Security.Cryptography.ECCurve.NamedCurves.nistP256);
        var leafRequest = new System.Security.Cryptography.X509Certificates.CertificateRequest("CN=leaf, O=org", leafKey, System.Security.Cryptography.HashAlgorithmName.SHA256);
        var names = new System.Security.Cryptography.X509Certificates.SubjectAlternativeNameBuilder();
        names.AddDnsName("leaf.example");
        leafRequest.CertificateExtensions.Add(names.Build());
        using var leaf = leafRequest.Create(root, from, from.AddYears(20), [1, 2]);
        var pem = root.ExportCertificatePem() + "\n" + leaf.ExportCertificatePem();
        var input = RegoValue.ObjectOf(("pem", RegoValue.Of(pem)), ("other", RegoValue.Of(root.ExportCertificatePem()))).ToJson();
        Assert.Equal("""[["root",null],["leaf",["leaf.example"]]]""", Value("[[c.Subject.CommonName, c.DNSNames] | c := crypto.x509.parse_certificates(input.pem)[_]]", input));
        Assert.Equal("[true,\"leaf\"]", Value("[v, c[0].Subject.CommonName] if { [v, c] := crypto.x509.parse_and_verify_certificates(input.pem) }", input));
        Assert.Equal("[false,[]]", Value("crypto.x509.parse_and_verify_certificates(input.other)", input));
    }
}

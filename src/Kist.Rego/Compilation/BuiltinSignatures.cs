using System.Collections.Frozen;

namespace Kist.Rego.Compilation;

/// <summary>The types of a built-in function's operands and of its value.</summary>
sealed record BuiltinSignature(StaticTypes[] Operands, StaticTypes Result);

/// <summary>
/// The declared types of the built-in functions, as OPA's reference gives them. Functions that are not listed take anything.
/// A line is a signature and the functions that have it; operands are n(umber), s(tring), b(oolean), z (null), a(rray),
/// o(bject), e (set), and * for any.
/// </summary>
static class BuiltinSignatures
{
    private const string Table =
        """
        n n>n: plus mul div rem bits.and bits.or bits.xor bits.lsh bits.rsh
        ne ne>ne: minus
        e e>e: and or set_diff
        * *>b: equal neq lt lte gt gte internal.member_2
        * * *>b: internal.member_3
        n>n: abs ceil floor round bits.negate
        n n>a: numbers.range
        n n n>a: numbers.range_step
        aoes>n: count
        ae>n: sum product
        ae>*: max min
        ae>a: sort
        ae>b: all any
        a a>a: array.concat
        a n n>a: array.slice
        a>a: array.reverse array.flatten
        e>e: intersection union
        o * *>*: object.get
        o aoe>*: object.remove object.filter json.filter json.remove
        o o>*: object.union
        a>*: object.union_n
        aoe aoe>*: object.subset
        o>e: object.keys
        *>s: json.marshal yaml.marshal type_name
        * o>s: json.marshal_with_options
        s>*: json.unmarshal yaml.unmarshal
        *>b: json.is_valid yaml.is_valid regex.is_valid base64.is_valid semver.is_valid net.cidr_is_valid is_array is_boolean is_null is_number is_object is_set is_string
        os os>a: json.match_schema
        os>a: json.verify_schema
        s ae>s: concat
        s s>b: contains startswith endswith regex.match re_match regex.globs_match net.cidr_contains net.cidr_intersects net.cidr_overlap crypto.hmac.equal
        aes aes>b: strings.any_prefix_match strings.any_suffix_match
        n n>s: format_int
        s s>n: indexof strings.count semver.compare time.parse_ns
        s s>a: indexof_n split regex.split
        s>s: lower upper strings.reverse trim_space base64.encode base64.decode base64url.encode base64url.encode_no_pad base64url.decode hex.encode hex.decode urlquery.encode urlquery.decode crypto.md5 crypto.sha1 crypto.sha256 glob.quote_meta uuid.rfc4122
        s s>s: trim trim_left trim_right trim_prefix trim_suffix crypto.hmac.md5 crypto.hmac.sha1 crypto.hmac.sha256 crypto.hmac.sha512
        s s s>s: replace regex.replace io.jwt.encode_sign_raw
        o s>s: strings.replace_n
        s n n>s: substring
        s a>s: sprintf
        s o>s: strings.render_template
        nsbz>n: to_number
        s s n>a: regex.find_n regex.find_all_string_submatch_n
        s s s s>b: regex.template_match
        s az s>b: glob.match
        o>s: urlquery.encode_object
        s>o: urlquery.decode_object uuid.parse
        >n: time.now_ns
        s>n: time.parse_rfc3339_ns time.parse_duration_ns units.parse units.parse_bytes
        na>s: time.format time.weekday
        na>a: time.date time.clock
        na na>a: time.diff
        n n n n>n: time.add_date
        s>a: crypto.x509.parse_certificates crypto.x509.parse_and_verify_certificates io.jwt.decode crypto.parse_private_keys
        s o>a: crypto.x509.parse_and_verify_certificates_with_options io.jwt.decode_verify
        s>*: crypto.x509.parse_certificate_request crypto.x509.parse_rsa_private_key
        s s>*: crypto.x509.parse_keypair rego.parse_module
        o o o>s: io.jwt.encode_sign
        s>e: net.cidr_expand
        ae>e: net.cidr_merge
        aoes aoes>e: net.cidr_contains_matches
        >o: opa.runtime
        s n>n: rand.intn
        o ae>e: graph.reachable graph.reachable_paths
        os os>a: graphql.parse graphql.parse_and_verify
        s>o: graphql.parse_query graphql.parse_schema
        os os>b: graphql.is_valid
        os>b: graphql.schema_is_valid
        """;

    private static readonly FrozenDictionary<string, BuiltinSignature> All = Read();

    public static BuiltinSignature? Find(string? name) => name is null ? null : All.GetValueOrDefault(name);

    private static FrozenDictionary<string, BuiltinSignature> Read()
    {
        var all = new Dictionary<string, BuiltinSignature>(StringComparer.Ordinal);
        foreach (var line in Table.Split('\n'))
        {
            var parts = line.Split([':', '>'], 3);
            var operands = parts[0].Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(Types).ToArray();
            var signature = new BuiltinSignature(operands, Types(parts[1]));
            foreach (var name in parts[2].Split(' ', StringSplitOptions.RemoveEmptyEntries))
                all.Add(name, signature);
        }

        return all.ToFrozenDictionary(StringComparer.Ordinal);
    }

    private static StaticTypes Types(string letters) => letters.Aggregate(StaticTypes.None, (types, letter) => types | letter switch
    {
        'n' => StaticTypes.Number,
        's' => StaticTypes.String,
        'b' => StaticTypes.Boolean,
        'z' => StaticTypes.Null,
        'a' => StaticTypes.Array,
        'o' => StaticTypes.Object,
        'e' => StaticTypes.Set,
        _ => StaticTypes.Any,
    });
}

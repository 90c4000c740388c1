using System.Security.Cryptography.X509Certificates;

namespace Kist.Rego.Builtins;

/// <summary>A distinguished name as Go's pkix.Name in JSON.</summary>
static class DistinguishedName
{
    private static readonly (string Member, string Oid)[] Lists =
    [
        ("Country", "2.5.4.6"), ("Organization", "2.5.4.10"), ("OrganizationalUnit", "2.5.4.11"), ("Locality", "2.5.4.7"),
        ("Province", "2.5.4.8"), ("StreetAddress", "2.5.4.9"), ("PostalCode", "2.5.4.17"),
    ];

    public static RegoValue Of(X500DistinguishedName name)
    {
        var parts = name.EnumerateRelativeDistinguishedNames(reversed: false)
            .Where(r => !r.HasMultipleElements)
            .Select(r => (Oid: r.GetSingleElementType().Value!, Value: r.GetSingleElementValue() ?? ""))
            .ToList();
        var members = new List<(string, RegoValue)>();
        foreach (var (member, oid) in Lists)
        {
            var values = parts.Where(p => p.Oid == oid).Select(p => RegoValue.Of(p.Value)).ToArray();
            members.Add((member, values.Length == 0 ? RegoValue.Null : RegoValue.ArrayOf(values)));
        }

        members.Add(("SerialNumber", One(parts, "2.5.4.5")));
        members.Add(("CommonName", One(parts, "2.5.4.3")));
        members.Add(("Names", RegoValue.ArrayOf([.. parts.Select(p => RegoValue.ObjectOf(
            ("Type", RegoValue.ArrayOf([.. p.Oid.Split('.').Select(n => (RegoValue)RegoNumber.TryParse(n)!)])),
            ("Value", RegoValue.Of(p.Value))))])));
        members.Add(("ExtraNames", RegoValue.Null));
        return RegoValue.ObjectOf([.. members]);
    }

    private static RegoValue One(List<(string Oid, string Value)> parts, string oid) => RegoValue.Of(parts.FindLast(p => p.Oid == oid).Value ?? "");
}

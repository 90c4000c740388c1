using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Kist.Enclaves.Images;
using Kist.Enclaves.Sgx;
using Kist.Enclaves.Signing;
using Kist.Formats;

namespace Kist.Cli.Commands.Sgx;

/// <summary>The options that fill a SIGSTRUCT's fields.</summary>
sealed class SigningOptions
{
    private readonly Option<ushort> _product = new("--isv-prod-id") { Description = "ISVPRODID (default 0)." };
    private readonly Option<ushort> _version = new("--isv-svn") { Description = "ISVSVN (default 0)." };
    private readonly Option<string?> _family = new("--isv-family-id") { Description = "ISVFAMILYID, 32 hexadecimal digits; sets KSS." };
    private readonly Option<string?> _product16 = new("--isv-ext-prod-id") { Description = "ISVEXTPRODID, 32 hexadecimal digits; sets KSS." };
    private readonly Option<bool> _debug = new("--debug") { Description = "Sign for debugging: such an enclave protects nothing." };
    private readonly Option<string?> _date = new("--date") { Description = "Date of the signature, yyyy-mm-dd (default: none, so that it can be reproduced)." };
    private readonly Option<string?> _xfrm = new("--xfrm") { Description = "Processor state that must be enabled, hexadecimal as in XCR0 (default 3)." };

    public void AddTo(Command command)
    {
        foreach (var option in new Option[] { _product, _version, _family, _product16, _debug, _date, _xfrm })
            command.Add(option);
    }

    public SigstructFields Fields(ParseResult parse, EnclaveFile enclave)
    {
        var family = Identifier(parse, _family);
        var product = Identifier(parse, _product16);
        var attributes = enclave.Attributes ?? new SgxAttributes(EnclaveTraits.Mode64Bit, SgxAttributes.LegacyXfrm);
        var flags = attributes.Flags;
        if (!family.IsEmpty || !product.IsEmpty)
            flags |= EnclaveTraits.Kss;
        flags = parse.GetValue(_debug) ? flags | EnclaveTraits.Debug : flags & ~EnclaveTraits.Debug;
        var xfrm = parse.GetValue(_xfrm) is { } text ? Hexadecimal(text) : attributes.Xfrm;
        return new SigstructFields
        {
            EnclaveHash = enclave.MrEnclave,
            IsDebugType = parse.GetValue(_debug),
            Date = parse.GetValue(_date) is { } date ? Day(date) : null,
            Attributes = new SgxAttributes(flags, xfrm | SgxAttributes.LegacyXfrm),
            MiscSelect = enclave.MiscSelect ?? 0,
            IsvProdId = parse.GetValue(_product),
            IsvSvn = parse.GetValue(_version),
            IsvFamilyId = family,
            IsvExtProdId = product,
        };
    }

    private static ReadOnlyMemory<byte> Identifier(ParseResult parse, Option<string?> option)
    {
        if (parse.GetValue(option) is not { } text)
            return default;
        return text.Length == 32 && text.All(char.IsAsciiHexDigit)
            ? Convert.FromHexString(text)
            : throw new MalformedDataException(option.Name, -1, "not 32 hexadecimal digits");
    }

    private static DateOnly Day(string text) =>
        DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day)
            ? day
            : throw new MalformedDataException("--date", -1, "not a date yyyy-mm-dd");

    private static ulong Hexadecimal(string text) =>
        ulong.TryParse(
            text.StartsWith("0x", StringComparison.OrdinalIgnoreCase) ? text.AsSpan(2) : text,
            NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value)
            ? value
            : throw new MalformedDataException("--xfrm", -1, "not a hexadecimal number");
}

using CsCheck;
using Kist.Attestation.Dcap;
using Kist.Formats;

namespace Kist.Attestation.Tests.Dcap;

public sealed class CollateralParsingTests
{
    [Theory]
    [InlineData("tcbInfoNegativeCompSvn")]
    [InlineData("tcbInfoNegativeIntegerOverflow")]
    [InlineData("tcbInfoNegativeIntegerWithSign")]
    [InlineData("tcbInfoNegativeInvalidNextUpdate")]
    [InlineData("tcbInfoNegativeMissingNextUpdate")]
    [InlineData("tcbInfoNegativePropertyMissingLevel0")]
    [InlineData("tcbInfoNegativePropertyMissingLevel1")]
    [InlineData("tcbInfoNegativePropertyMissingLevel3")]
    [InlineData("tcbInfoNegativePropertyWrongTypeLevel0")]
    [InlineData("tcbInfoNegativePropertyWrongTypeLevel2")]
    [InlineData("tcbInfoNegativePropertyWrongTypeLevel3")]
    [InlineData("tcbInfoNegativeStringEscape")]
    public void Parse_MalformedTcbInfo_IsRefused(string name) =>
        Assert.Throws<MalformedDataException>(() => TcbInfo.Parse(Testing.Evidence.Read($"sgx/json-negative/{name}.json")));

    [Theory]
    [InlineData("tcbInfo")]
    [InlineData("tcbInfo_with_pceid")]
    public void Parse_TcbInfoVersion1_IsRead(string name)
    {
        var info = TcbInfo.Parse(Testing.Evidence.Read($"sgx/json-negative/{name}.json"));
        Assert.Equal(1, info.Version);
        Assert.NotEmpty(info.Levels);
    }

    [Theory]
    [InlineData("v1-qe_identity_missing_attributes")]
    [InlineData("v1-qe_identity_missing_issuedate")]
    [InlineData("v1-qe_identity_missing_isvprodid")]
    [InlineData("v1-qe_identity_missing_miscselect")]
    [InlineData("v1-qe_identity_missing_miscselectmask")]
    [InlineData("v1-qe_identity_missing_nextupdate")]
    [InlineData("v1-qe_identity_missing_qeidentity")]
    [InlineData("v1-qe_identity_missing_version")]
    [InlineData("v2-qe_identity_missing_attributesmask")]
    [InlineData("v2-qe_identity_missing_id")]
    [InlineData("v2-qe_identity_missing_isvprodid")]
    [InlineData("v2-qe_identity_missing_isvsvn")]
    [InlineData("v2-qe_identity_missing_miscselectmask")]
    [InlineData("v2-qe_identity_missing_mrsigner")]
    [InlineData("v2-qe_identity_missing_qeidentity")]
    [InlineData("v2-qe_identity_missing_signature")]
    [InlineData("v2-qe_identity_missing_tcb_eval_data_num")]
    [InlineData("v2-qe_identity_missing_tcb_levels")]
    [InlineData("v2-qe_identity_missing_version")]
    public void Parse_IncompleteIdentity_IsRefused(string name) =>
        Assert.Throws<MalformedDataException>(() => EnclaveIdentity.Parse(Testing.Evidence.Read($"sgx/json-negative/{name}.json")));

    [Theory]
    [InlineData("sgx/json-negative/v1-qe_identity_ok.json", "QE")]
    [InlineData("sgx/json-negative/v2-qe_identity_ok.json", "QE")]
    [InlineData("sgx/json-negative/v2-qve_identity_ok.json", "QVE")]
    [InlineData("tdx/gce-cos113/td-qe-identity-eval17.json", "TD_QE")]
    public void Parse_GoodIdentity_IsRead(string file, string id) => Assert.Equal(id, EnclaveIdentity.Parse(Testing.Evidence.Read(file)).Id);

    /// <summary>A repeated member could make the signed text mean one thing to one reader and another to the next.</summary>
    [Fact]
    public void Parse_RepeatedMember_IsRefused() => Assert.Throws<MalformedDataException>(() => EnclaveIdentity.Parse(
        System.Text.Encoding.UTF8.GetBytes("""{"enclaveIdentity":{"id":"QE"},"enclaveIdentity":{"id":"QE"},"signature":"00"}""")));

    [Fact]
    public void Body_OfADocument_IsItsTextAsReceived()
    {
        var document = System.Text.Encoding.UTF8.GetBytes("{\"x\" : [1, {\"tcbInfo\":0}] ,\n \"tcbInfo\" : {\"a\": 1 , \"b\":\"\\u0041\"} , \"signature\":\"" + new string('0', 128) + "\"}");
        Assert.Equal("""{"a": 1 , "b":"\u0041"}""", System.Text.Encoding.UTF8.GetString(SignedJson.Parse(document, "test", "tcbInfo").Body.Span));
    }

    /// <summary>Any changed character of signed collateral is noticed: by its format, or by the signature.</summary>
    [Theory]
    [InlineData("tcb_info")]
    [InlineData("qe_identity")]
    [InlineData("tcb_info_signature")]
    [InlineData("pck_crl")]
    [InlineData("root_ca_crl")]
    public void Verify_ChangedCollateral_IsNeverAccepted(string member)
    {
        var text = System.Text.Encoding.UTF8.GetString(Testing.Evidence.Read("tdx/b0c06f-phala/collateral.json"));
        var start = text.IndexOf($"\"{member}\": \"", StringComparison.Ordinal) + member.Length + 5;
        var end = text.IndexOf("\"\n", start, StringComparison.Ordinal) is var e and > 0 ? Math.Min(e, text.IndexOf("\",", start, StringComparison.Ordinal) is var c and > 0 ? c : e) : text.Length;
        var evidence = IntelCorpus.Load("tdx/b0c06f-phala/quote.dat");
        var at = new DateTimeOffset(2025, 6, 25, 0, 0, 0, TimeSpan.Zero);
        Gen.Int[start, end - 1].Sample(
            i =>
            {
                var changed = text.ToCharArray();
                if (!char.IsAsciiLetterOrDigit(changed[i]) || changed[i - 1] == '\\')
                    return true;
                changed[i] = changed[i] switch { '9' => '8', 'f' => 'e', 'F' => 'E', 'z' => 'y', 'Z' => 'Y', var x => (char)(x + 1) };
                var reader = new CollateralReader();
                try
                {
                    reader.Add(System.Text.Encoding.UTF8.GetBytes(changed));
                }
                catch (MalformedDataException)
                {
                    return true;
                }

                return !EvidenceVerifier.Verify(evidence, ExpectedBinding.None, new VerificationOptions { Time = at, Collateral = reader.Build(at) }).IsAccepted;
            },
            iter: 150);
    }
}

namespace Kist.KeyBroker.Errors;

/// <summary>Ends a request with an error. The operator's detail is for the audit log and never leaves the broker.</summary>
sealed class BrokerRefusal(BrokerError error, string? operatorDetail = null, Exception? inner = null)
    : Exception($"{error.Code}: {operatorDetail ?? error.Detail}", inner)
{
    public BrokerError Error { get; } = error;

    public string? OperatorDetail { get; } = operatorDetail;
}

using Kist.KeyBroker.Administration;
using Kist.KeyBroker.Errors;
using Kist.KeyBroker.Hosting;
using Kist.KeyBroker.Protocol;
using Kist.KeyBroker.References;

namespace Kist.KeyBroker.Routes;

/// <summary>/kist/v1/reference-imports: documents with reference values, signed by somebody who is trusted for that.</summary>
sealed class ReferenceImportRoutes(BrokerServices services)
{
    public async Task<Reply> HandleAsync(BrokerContext context)
    {
        if (context.Method != "POST")
            throw new BrokerRefusal(BrokerError.MethodNotAllowed);
        context.Require(AdminRole.ReferenceAuthor);
        var document = await context.ReadBodyAsync(ReferenceImport.MaxBytes).ConfigureAwait(false);
        return Import(context, document, context.Query("unsigned") == "allow");
    }

    /// <summary>Imports a document: all of it or nothing.</summary>
    public Reply Import(BrokerContext context, ReadOnlyMemory<byte> document, bool allowUnsigned)
    {
        var imported = services.Import.Read(document, allowUnsigned && !services.Options.RequireSignedReferences, context.Now);
        var waits = false;
        services.Database.Write(() =>
        {
            foreach (var change in imported.Changes)
                waits |= services.Changes.Submit(context, change).Status == 202;
        });
        return Reply.Json(
            KbsJson.Write(new ReferenceImportReport { Names = [.. imported.Changes.Select(c => c.Subject)], Signer = imported.Signer, WaitsForApproval = waits }),
            waits ? 202 : 200);
    }
}
